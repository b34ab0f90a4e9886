"""Large awards under many scenarios, by prices of what items share: each item is split at these prices by itself."""
