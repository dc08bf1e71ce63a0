-- Opening + hires - terminations = closing.
select *
from {{ ref("fct_financial_summary") }}
where
    simulation_year = {{ year_in_hand() }}
    and opening_headcount + hires - experienced_terminations - new_hire_terminations
    <> closing_headcount
