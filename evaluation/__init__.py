"""What the figures in the documents were measured with, a command each.

Most pictures are drawn with torch here, so large blocks are asked for again and again: they are kept in the process.
"""

from shared.allocator import keep_freed_memory

keep_freed_memory()
