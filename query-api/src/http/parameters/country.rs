//! A country, as events carry it.

use poem_openapi::registry::MetaSchema;

use super::Parameter;
use crate::question::{Country, Refusal};

impl Parameter for Country {
    fn schema() -> MetaSchema {
        MetaSchema {
            pattern: Some("^[A-Za-z]{2}$".to_owned()),
            example: Some("DE".into()),
            ..MetaSchema::new("string")
        }
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        Self::read(text)
    }
}
