"""Encoders that turn columns of the tables into Features."""
