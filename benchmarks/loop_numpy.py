"""The lecture's loop as one would write it: pandas, NumPy. Arguments: CSV file, epochs."""

import sys

import pandas as pd

data = pd.read_csv(sys.argv[1])
x, y = data["x"].to_numpy(), data["y"].to_numpy()
epochs = int(sys.argv[2])
w, b = 0.0, 0.0
learning_rate = 1e-2
shown = {1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, epochs}
for epoch in range(1, epochs + 1):
    y_hat = w * x + b
    loss = ((y_hat - y) ** 2).mean()
    dloss = 2 * (y_hat - y)
    grad_w, grad_b = (dloss * x).mean(), dloss.mean()
    w, b = w - learning_rate * grad_w, b - learning_rate * grad_b
    if epoch in shown:
        print(f"Epoch {epoch}, Loss {loss:.6f}, Params {w:.4f} {b:.4f}", end=", ")
        print(f"Grad {grad_w:.4f} {grad_b:.4f}")
print(w, b)
