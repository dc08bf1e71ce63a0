"""A census of one employee that breaks no rule."""

HEADER = "employee_id,birth_date,hire_date,annual_compensation,job_level"
SOUND = "E1,1985-03-31,2015-06-01,52000.50,2"
