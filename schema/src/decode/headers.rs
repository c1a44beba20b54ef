//! The headers of a Kafka record, independent of the Kafka client.

/// The headers of a record, by lower-case name.
pub trait Headers {
    /// The value of `name`.
    fn get(&self, name: &str) -> Option<&[u8]>;
    /// Calls `visit` with every name and value, in order.
    fn for_each(&self, visit: &mut dyn FnMut(&str, &[u8]));
}

impl Headers for &[(String, Vec<u8>)] {
    fn get(&self, name: &str) -> Option<&[u8]> {
        let found = self.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_slice())
    }

    fn for_each(&self, visit: &mut dyn FnMut(&str, &[u8])) {
        for (name, value) in *self {
            visit(name, value);
        }
    }
}
