"""From a prompt to a merged answer: planned, run at once as far as dependencies allow, told while it goes on."""
