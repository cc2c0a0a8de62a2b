"""What managers look at: dashboards over the lists of all domains below."""
