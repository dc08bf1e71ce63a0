-- Nobody is paid less than nothing or outside the employment, and each year adds
-- what it paid to the cumulative pay.
select *
from {{ ref("fct_workforce_snapshot") }}
where
    simulation_year = {{ year_in_hand() }}
    and (
        prorated_annual_compensation < 0
        or cumulative_compensation < prorated_annual_compensation
        or hire_date > make_date(simulation_year, 12, 31)
        or termination_date < greatest(hire_date, make_date(simulation_year, 1, 1))
        or termination_date > make_date(simulation_year, 12, 31)
    )
