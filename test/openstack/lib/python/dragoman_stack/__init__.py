"""Drivers that let a real OpenStack control plane run without hypervisors."""
