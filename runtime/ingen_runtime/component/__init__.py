"""Components: binary decoder, type model, linker, instances."""
