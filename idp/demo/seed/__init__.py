"""The seed: what the demo's database holds before anybody opens a page."""
