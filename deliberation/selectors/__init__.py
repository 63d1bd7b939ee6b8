"""Every read. What a viewer may see is decided here and nowhere else."""
