"""Model servers beside a worker: how they are started, watched and told of. Nothing here knows Django."""
