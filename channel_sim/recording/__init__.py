"""Recordings of a link as SigMF: written, read, and replayed bit for bit."""

from channel_sim.recording.frames import Place, RecordedFrame
from channel_sim.recording.reader import Recording, read_recording
from channel_sim.recording.replay import Replayed, replayed
from channel_sim.recording.writer import RecordingWriter

__all__ = ["Place", "RecordedFrame", "Recording", "RecordingWriter", "Replayed", "read_recording", "replayed"]
