"""Metrics, statistics, experiments and their report. Sees no concrete model."""
