"""Training: architectures, augmentation, distillation, and the choice of thresholds."""
