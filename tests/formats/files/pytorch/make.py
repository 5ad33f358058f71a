"""Writes the files beside it, with PyTorch 1.13.0a0 (Debian 12, python3-torch 1.13.1+dfsg-4): python3 - < make.py"""
import torch

torch.manual_seed(0)
LEGACY = {"_use_new_zipfile_serialization": False}
w = torch.arange(6.0).reshape(2, 3)
x = torch.arange(24.0).reshape(2, 3, 4)
dtypes = [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int8, torch.uint8, torch.int16,
          torch.int32, torch.int64, torch.bool, torch.complex64, torch.complex128]
parameter = torch.nn.Parameter(w.clone())
parameter.note = "x"


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(2, 3)
        self.register_buffer("c", torch.ones(2))

    def forward(self, x):
        return self.fc(x) + torch.tensor([1.0, 2.0, 3.0])


torch.save({"a": w, "c": w, "b": {"x": w}}, "tied.pt")
torch.save({"whole": x, "t": x.transpose(0, 1), "s": x[1], "step": x[:, :, ::2]}, "views.pt")
torch.save({"w": torch.ones(1, 2, 2, 2).to(memory_format=torch.channels_last)}, "channels_last.pt")
torch.save({"s0": x[0], "s1": x[1]}, "parts.legacy.pth", **LEGACY)
torch.save({str(dtype)[6:]: torch.ones(3, dtype=dtype) for dtype in dtypes}, "types.legacy.pth", **LEGACY)
torch.save({"one": torch.quantize_per_tensor(w, 0.1, 0, torch.qint8),
            "each": torch.quantize_per_channel(w, torch.tensor([0.1, 0.2]), torch.tensor([0, 1]), 0, torch.quint8)},
           "quantised.pt")
torch.save({"s": torch.tensor(3.0), "e": torch.zeros(0, 4)}, "scalar_empty.legacy.pth", **LEGACY)
torch.save({"coo": torch.eye(3).to_sparse(), "csr": torch.eye(3).to_sparse_csr()}, "sparse.pt")
torch.save({"p": parameter}, "parameter.pt")
torch.save({"s": w.storage(), "v": w}, "storage.pt")
torch.save({"w": w, 5: [torch.ones(2)]}, "protocol4.pt", pickle_protocol=4)
torch.save({"w": w, 5: [torch.ones(2)]}, "protocol5.legacy.pth", pickle_protocol=5, **LEGACY)
torch.save(torch.nn.Sequential(torch.nn.LSTM(1, 1), torch.nn.BatchNorm1d(1)), "module.pt")
torch.jit.trace(Net(), torch.ones(1, 2)).save("trace.pt")
