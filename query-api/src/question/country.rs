//! A country code.

use std::fmt;

use super::refusal::Refusal;

/// ISO 3166-1 alpha-2, in upper case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Country(String);

impl Country {
    /// Reads it, in either case.
    ///
    /// # Errors
    /// Any other text.
    pub(crate) fn read(text: &str) -> Result<Self, Refusal> {
        let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        if is_code {
            return Ok(Self(text.to_ascii_uppercase()));
        }
        Err(Refusal {
            detail: format!(
                "{:?} is not a country code",
                text.chars().take(60).collect::<String>()
            ),
            allowed: "an ISO 3166-1 alpha-2 code, for example DE".to_owned(),
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_two_letters_in_either_case() {
        assert_eq!(Country::read("de").unwrap().as_str(), "DE");
        for bad in ["", "D", "DEU", "D1", "Ä", "' "] {
            assert!(Country::read(bad).is_err(), "{bad}");
        }
    }
}
