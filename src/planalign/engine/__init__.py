"""How a simulated year is executed. The model logic itself is the dbt project."""
