"""Between people's browsers, vendors' webhooks and our deeds: one module per topic, each with its ROUTES."""
