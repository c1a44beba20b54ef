//! The error codes of ClickHouse: which errors are transient, and which report a missing table.

use clickhouse::error::Error;

use crate::retry::{Classify, ErrorClass};

/// Codes (ErrorCodes.cpp) of transient errors: timeout, overload, memory limit, too many parts, replica or Keeper
/// unavailable, shutdown.
const TRANSIENT: &[u32] = &[
    159, 160, 164, 201, 202, 203, 209, 210, 225, 236, 241, 242, 252, 279, 285, 286, 319, 394, 425,
    439, 473, 499, 571, 648, 667, 700, 722, 745, 999,
];

/// UNKNOWN_TABLE and UNKNOWN_DATABASE.
const MISSING: &[u32] = &[60, 81];

impl Classify for Error {
    fn class(&self) -> ErrorClass {
        let is_transient = match self {
            Self::Network(_) | Self::TimedOut => true,
            Self::BadResponse(text) => code(text).is_none_or(|code| TRANSIENT.contains(&code)),
            _ => false,
        };
        if is_transient {
            ErrorClass::Transient
        } else {
            ErrorClass::Permanent
        }
    }
}

/// Whether the error reports an unknown table or database.
pub fn is_missing(error: &Error) -> bool {
    error_code(error).is_some_and(|code| MISSING.contains(&code))
}

/// The code of an error of the server (ErrorCodes.cpp); none for other errors.
pub fn error_code(error: &Error) -> Option<u32> {
    match error {
        Error::BadResponse(text) => code(text),
        _ => None,
    }
}

/// The number in `Code: 60. DB::Exception: …`. A response without it comes from a proxy.
fn code(text: &str) -> Option<u32> {
    let digits = text.split_once("Code: ")?.1;
    digits
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overload_is_transient_and_a_syntax_error_is_permanent() {
        let response = |text: &str| Error::BadResponse(text.to_owned());
        let memory =
            response("Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)");
        assert_eq!(memory.class(), ErrorClass::Transient);
        assert_eq!(response("502 Bad Gateway").class(), ErrorClass::Transient);
        let syntax = response("Code: 62. DB::Exception: Syntax error. (SYNTAX_ERROR)");
        assert_eq!(syntax.class(), ErrorClass::Permanent);
        let missing =
            response("Code: 81. DB::Exception: Database ess does not exist. (UNKNOWN_DATABASE)");
        assert!(is_missing(&missing) && !is_missing(&syntax));
    }
}
