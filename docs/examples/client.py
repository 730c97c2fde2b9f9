"""Sends a face and sentences, saves what arrives. Needs grpcio and the generated stubs; nothing else of this project.

Usage: python docs/examples/client.py TRANSMITTER RECEIVER PHOTO SENTENCE...
"""

import sys
import uuid
from pathlib import Path

import grpc

from protos.receiver_pb2 import WatchRequest
from protos.receiver_pb2_grpc import ReceiverStub
from protos.transmitter_pb2 import ConverseRequest, Instruction, Photo
from protos.transmitter_pb2_grpc import TransmitterStub

transmitter, receiver, photo, *sentences = sys.argv[1:]
stream_id = uuid.uuid4().hex
options = [("grpc.max_receive_message_length", 128 * 2**20), ("grpc.max_send_message_length", 128 * 2**20)]

with grpc.insecure_channel(transmitter, options) as up, grpc.insecure_channel(receiver, options) as down:
    watch = ReceiverStub(down).Watch(WatchRequest(stream_id=stream_id, resolution=512))
    next(watch)  # "started": from here on no face is missed
    requests = [ConverseRequest(photo=Photo(data=Path(photo).read_bytes(), stream_id=stream_id, resolution=512))]
    requests += [ConverseRequest(instruction=Instruction(text=sentence)) for sentence in sentences]
    try:
        for event in TransmitterStub(up).Converse(iter(requests)):
            if event.HasField("progress"):
                print(f"{event.progress.stage} {event.progress.step}/{event.progress.steps}")
            elif event.HasField("turn"):
                turn = event.turn
                print(f"{turn.message}; {turn.uses.k_total} channel uses, SNR {turn.estimate.snr_db:.1f} dB")
                if turn.sequence:  # 0: every try was erased, and the receiver shows what it showed
                    face = next(shown.face for shown in watch if shown.face.sequence == turn.sequence)
                    Path(f"received_{turn.turn}.png").write_bytes(face.png)
                    print(f"received_{turn.turn}.png: {dict(face.degrees)}")
    except grpc.RpcError as error:  # a sentence that says what to do, never a stack trace
        sys.exit(f"{error.code().name}: {error.details()}")
    watch.cancel()
