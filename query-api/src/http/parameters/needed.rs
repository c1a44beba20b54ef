//! A parameter that must be given, and is documented so. What is said of one that is missing stands beside all other mistakes.

use std::borrow::Cow;

use poem_openapi::{
    registry::MetaSchemaRef,
    types::{ParseFromParameter, ParseResult, Type},
};

use super::{Param, Parameter};

/// The parameter, if it was given.
pub(crate) struct Needed<T>(pub(crate) Option<Param<T>>);

impl<T: Parameter> Type for Needed<T> {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        Param::<T>::name()
    }

    fn schema_ref() -> MetaSchemaRef {
        Param::<T>::schema_ref()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

impl<T: Parameter> ParseFromParameter for Needed<T> {
    fn parse_from_parameter(text: &str) -> ParseResult<Self> {
        Ok(Self(Some(Param(T::read(text)))))
    }

    /// None is no mistake of form: it is told with the others.
    fn parse_from_parameters<I: IntoIterator<Item = A>, A: AsRef<str>>(
        texts: I,
    ) -> ParseResult<Self> {
        let first = texts.into_iter().next();
        Ok(Self(first.map(|text| Param(T::read(text.as_ref())))))
    }
}
