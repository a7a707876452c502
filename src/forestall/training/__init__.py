"""Classifiers, calibration, alarms and their thresholds."""
