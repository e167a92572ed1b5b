"""The samples that models without a data set are asked with."""
