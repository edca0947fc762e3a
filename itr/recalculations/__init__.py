"""Long computations over many requests: what-ifs, and moving open requests to another promise."""
