//! The position of a record in the Kafka log: `partition:offset`, as writes return it in `Ess-Position`.

use std::fmt;
use std::str::FromStr;

/// The position of a record. Ordered by partition, then offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The partition of the topic.
    pub partition: u16,
    /// The offset in the partition.
    pub offset: u64,
}

/// The text is not `partition:offset`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a log position; allowed: partition:offset as in Ess-Position, for example 7:1234")]
pub struct InvalidPosition;

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.partition, self.offset)
    }
}

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let (partition, offset) = text.split_once(':').ok_or(InvalidPosition)?;
        if !digits(partition) || !digits(offset) {
            return Err(InvalidPosition);
        }
        Ok(Self {
            partition: partition.parse().map_err(|_| InvalidPosition)?,
            offset: offset.parse().map_err(|_| InvalidPosition)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_parses_from_its_text() {
        let position = Position {
            partition: 7,
            offset: 1234,
        };
        assert_eq!(position.to_string(), "7:1234");
        assert_eq!("7:1234".parse(), Ok(position));
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["", "7", ":", "7:", ":1", "7:-1", "+7:1", "7:1:2", "70000:1"] {
            assert_eq!(bad.parse::<Position>(), Err(InvalidPosition), "{bad}");
        }
    }
}
