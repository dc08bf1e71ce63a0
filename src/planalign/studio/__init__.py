"""The dashboard: pages over the records of runs, live while they go on."""
