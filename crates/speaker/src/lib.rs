//! Adapter: the device. Its sans-IO core, the policy that alone may decide to dial, the record, and io.
