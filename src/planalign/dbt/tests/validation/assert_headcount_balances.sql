-- Opening + hires - terminations = closing.
select *
from {{ ref("fct_financial_summary") }}
where
    simulation_year = (select simulation_year from {{ source("inputs", "control") }})
    and opening_headcount + hires - experienced_terminations - new_hire_terminations
    <> closing_headcount
