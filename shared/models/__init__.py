"""The pulled models: what they are, where they come from, and how they are brought, converted and checked."""
