"""The decisions Echelon makes: one package a family, the same file names in each."""
