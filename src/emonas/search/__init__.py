"""Stage `search`: a fold's training and validation parts go in, a genotype comes out."""
