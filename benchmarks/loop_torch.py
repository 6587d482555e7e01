"""The lecture's loop with autograd, as one would write it. Arguments: CSV file, epochs."""

import sys
import time

import pandas as pd
import torch

data = pd.read_csv(sys.argv[1])
x, y = torch.tensor(data["x"].to_numpy()), torch.tensor(data["y"].to_numpy())
epochs = int(sys.argv[2])
params = torch.zeros(2, dtype=torch.float64, requires_grad=True)
learning_rate = 1e-2
shown = {1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, epochs}
begin = time.perf_counter()
for epoch in range(1, epochs + 1):
    if params.grad is not None:
        params.grad.zero_()
    w, b = params
    y_hat = w * x + b
    loss = ((y_hat - y) ** 2).mean()
    loss.backward()
    grad = params.grad
    assert grad is not None
    with torch.no_grad():
        params -= learning_rate * grad
    if epoch in shown:
        print(f"Epoch {epoch}, Loss {loss.item():.6f}, Params {params.tolist()}", end=", ")
        print(f"Grad {grad.tolist()}")
print(f"{(time.perf_counter() - begin) / epochs * 1e6:.1f} µs an epoch")
print(*params.tolist())
