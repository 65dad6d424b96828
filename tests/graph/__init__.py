"""Tests of the only way to Microsoft."""
