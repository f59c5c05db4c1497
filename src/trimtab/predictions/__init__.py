"""Predictions made by anything, read from files into typed arrays that are analysed like a study's."""
