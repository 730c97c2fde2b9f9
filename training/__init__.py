"""What the weights were made with, a command each.

Whoever trains asks for large blocks again and again, so they are kept in the process.
"""

from shared.allocator import keep_freed_memory

keep_freed_memory()
