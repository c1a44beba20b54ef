//! The states of two aggregate functions in ClickHouse's binary format (src/AggregateFunctions in its source). Their results are known
//! only after all rows of a playback are merged. All numbers are little-endian.

use serde::{Deserialize, Deserializer, de::Error};
use serde_bytes::ByteBuf;

/// A state of `intervalLengthSum`: a byte whether it is sorted, the number of stretches as eight bytes, and the begin and end of each.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stretches(Vec<(u64, u64)>);

/// A state of `uniqExact` of `UInt32`: the number of values as a variable-length integer (LEB128), and the values.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers(Vec<u32>);

impl Stretches {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (_sorted, bytes) = bytes.split_first()?;
        let (count, bytes) = bytes.split_first_chunk::<8>()?;
        let (stretches, []) = bytes.as_chunks::<16>() else {
            return None;
        };
        let stretches = stretches.iter().map(|stretch| {
            let both = u128::from_le_bytes(*stretch);
            (both as u64, (both >> 64) as u64)
        });
        let stretches: Vec<_> = stretches.collect();
        (stretches.len() as u64 == u64::from_le_bytes(*count)).then_some(Self(stretches))
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The length of the union.
    pub(super) fn union_ms(&self) -> u64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let (mut covered_to, mut length) = (0, 0);
        for (from, to) in sorted {
            length += to.saturating_sub(from.max(covered_to));
            covered_to = to.max(covered_to);
        }
        length
    }
}

impl Numbers {
    fn read(mut bytes: &[u8]) -> Option<Self> {
        let mut count = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = bytes.split_first()?;
            bytes = rest;
            count |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let (numbers, []) = bytes.as_chunks::<4>() else {
            return None;
        };
        let numbers: Vec<_> = numbers.iter().copied().map(u32::from_le_bytes).collect();
        (numbers.len() as u64 == count).then_some(Self(numbers))
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The number of distinct values.
    pub(super) fn distinct(&self) -> u64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted.dedup();
        sorted.len() as u64
    }
}

impl<'de> Deserialize<'de> for Stretches {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = ByteBuf::deserialize(deserializer)?;
        Self::read(&bytes).ok_or_else(|| D::Error::custom("not a state of intervalLengthSum"))
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = ByteBuf::deserialize(deserializer)?;
        Self::read(&bytes).ok_or_else(|| D::Error::custom("not a state of uniqExact"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_read_and_overlaps_count_once() {
        let mut bytes = vec![1, 3, 0, 0, 0, 0, 0, 0, 0];
        for stretch in [(0_u64, 20_000_u64), (10_000, 15_000), (30_000, 31_000)] {
            bytes.extend(stretch.0.to_le_bytes());
            bytes.extend(stretch.1.to_le_bytes());
        }
        let mut stretches = Stretches::read(&bytes).unwrap();
        assert_eq!(stretches.union_ms(), 21_000);
        stretches.extend(Stretches(vec![(19_000, 30_500)]));
        assert_eq!(stretches.union_ms(), 31_000);
        for cut in 0..bytes.len() {
            assert_eq!(Stretches::read(&bytes[..cut]), None, "of {cut} bytes");
        }
        let none = Stretches::read(&[1, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(none, Some(Stretches::default()));
    }

    #[test]
    fn numbers_are_read_and_repeated_ones_count_once() {
        let mut bytes = vec![0x80, 0x02];
        for number in 0..256_u32 {
            bytes.extend((number / 2).to_le_bytes());
        }
        let mut numbers = Numbers::read(&bytes).unwrap();
        assert_eq!(numbers.distinct(), 128);
        numbers.extend(Numbers(vec![0, 7, u32::MAX]));
        assert_eq!(numbers.distinct(), 129);
        for cut in 0..bytes.len() {
            assert_eq!(Numbers::read(&bytes[..cut]), None, "of {cut} bytes");
        }
        assert_eq!(Numbers::read(&[0]), Some(Numbers::default()));
    }
}
