-- docs/method/saving.md
-- How employees save, by age, tenure and pay: the share who enrol of their own accord,
-- the factor on opting out of automatic enrolment, and the deferral they choose.
with ages as (
    select * from {{ ref("savings_ages") }}
),

tenures as (
    select * from {{ ref("savings_tenures") }}
),

pay_bands as (
    select * from {{ ref("savings_pay_bands") }}
),

final as (
    select
        ages.age_band,
        tenures.tenure_band,
        pay_bands.pay_band,
        round(
            ages.participation_rate::decimal(38, 6)
            * tenures.participation_factor * pay_bands.participation_factor, 6
        )::decimal(9, 6) as participation_rate,
        round(
            ages.opt_out_factor::decimal(38, 6) * pay_bands.opt_out_factor, 6
        )::decimal(9, 6) as opt_out_factor,
        round(
            ages.deferral_rate::decimal(38, 6)
            * tenures.deferral_factor * pay_bands.deferral_factor, 6
        )::decimal(9, 6) as deferral_rate
    from ages
    cross join tenures
    cross join pay_bands
)

select * from final
