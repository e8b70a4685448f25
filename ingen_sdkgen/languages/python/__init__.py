"""What Python hosts and Python guests share: names, annotations, and the classes of values."""
