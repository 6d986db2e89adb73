"""Names the garment of a photo (pip install "tritonclient[http]"): python docs/clients/photo.py localhost:9696 pants.jpg."""
import sys

import numpy
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput

with open(sys.argv[2], "rb") as photo:
    picture = InferInput("image", [1], "BYTES")
    picture.set_data_from_numpy(numpy.array([photo.read()], dtype=numpy.object_))
wanted = InferRequestedOutput("logits", class_count=3)
result = InferenceServerClient(sys.argv[1]).infer("clothing-model", [picture], outputs=[wanted])
for score, _, name in (text.decode().split(":") for text in result.as_numpy("logits")[0]):
    print(name, score)
