"""What the marts of a run are, for those who build them and those who read them."""
