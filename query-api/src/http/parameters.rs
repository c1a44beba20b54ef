//! Parameters of a question: each a type that knows what it may be, how to read it and how to document it. A bad one is kept
//! until all were read, so that a caller learns of every mistake at once.

mod choices;
mod country;
mod named;
mod needed;
mod report;
mod values;

pub(crate) use self::{
    named::{Flag, Ranked, RankedBy, StateName, Zone},
    needed::Needed,
    report::{Dimensions, Filters, Metrics, Order, inline},
    values::{After, Limit, Offset, ReportLimit},
};
use std::borrow::Cow;

use ess_service::problem::{FieldError, Problem, ProblemKind};
use poem::Request;
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseFromParameter, ParseResult, Type},
};

use crate::question::Refusal;

/// A value that a parameter can hold.
pub(crate) trait Parameter: Sized + Send + Sync {
    /// How it is documented.
    fn schema() -> MetaSchema;

    /// Reads it.
    ///
    /// # Errors
    /// Why the text is none, and what would be.
    fn read(text: &str) -> Result<Self, Refusal>;
}

/// A parameter as it came: its value, or why it is refused.
pub(crate) struct Param<T>(Result<T, Refusal>);

impl<T: Parameter> Type for Param<T> {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "parameter".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(T::schema()))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

impl<T: Parameter> ParseFromParameter for Param<T> {
    fn parse_from_parameter(text: &str) -> ParseResult<Self> {
        Ok(Self(T::read(text)))
    }

    /// A path parameter that is not UTF-8 comes as none.
    fn parse_from_parameters<I: IntoIterator<Item = A>, A: AsRef<str>>(
        texts: I,
    ) -> ParseResult<Self> {
        let refusal = || Refusal {
            detail: "is not UTF-8 text".to_owned(),
            allowed: "percent-encoded UTF-8".to_owned(),
        };
        let first = texts.into_iter().next();
        Ok(Self(
            first
                .ok_or_else(refusal)
                .and_then(|text| T::read(text.as_ref())),
        ))
    }
}

/// The parameters of one request that are refused so far.
#[derive(Debug, Default)]
pub(crate) struct Refused(Vec<FieldError>);

impl Refused {
    /// Those whose name is not among `known`, and those given more than once: neither can mean what the caller hopes.
    pub(crate) fn by_name(request: &Request, known: &[&str]) -> Self {
        let given: Vec<(String, String)> = request.params().unwrap_or_default();
        let mut refused = Self::default();
        for (at, (name, _)) in given.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                refused.add(
                    name,
                    "is not a parameter of this path".to_owned(),
                    known.join(", "),
                );
            } else if given[..at].iter().any(|(earlier, _)| earlier == name) {
                refused.add(
                    name,
                    "is given more than once".to_owned(),
                    "once".to_owned(),
                );
            }
        }
        refused
    }

    fn add(&mut self, name: &str, detail: String, allowed: String) {
        let allowed = if allowed.is_empty() {
            "none".to_owned()
        } else {
            allowed
        };
        self.push(FieldError {
            pointer: format!("?{name}"),
            detail,
            allowed: Some(allowed),
        });
    }

    /// Adds one that is refused for what several say together.
    pub(crate) fn push(&mut self, error: FieldError) {
        self.0.push(error);
    }

    /// Whether nothing is refused yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a query parameter, if it was given and is one.
    pub(crate) fn query<T>(&mut self, name: &str, given: Option<Param<T>>) -> Option<T> {
        let Param(read) = given?;
        read.map_err(|Refusal { detail, allowed }| self.add(name, detail, allowed))
            .ok()
    }

    /// The value of a query parameter that must be given.
    pub(crate) fn required<T: Parameter>(
        &mut self,
        name: &str,
        Needed(given): Needed<T>,
    ) -> Option<T> {
        if given.is_none() {
            let allowed = T::read("").err().map_or_else(String::new, |no| no.allowed);
            self.add(name, "is missing".to_owned(), allowed);
        }
        self.query(name, given)
    }

    /// The value of what several parameters say together, if it is one.
    pub(crate) fn keep<T>(&mut self, read: Result<T, FieldError>) -> Option<T> {
        read.map_err(|error| self.push(error)).ok()
    }

    /// The value of a path parameter, if it is one.
    pub(crate) fn path<T>(&mut self, name: &str, Param(read): Param<T>) -> Option<T> {
        let keep = |Refusal { detail, allowed }| {
            self.push(FieldError {
                pointer: format!("{{{name}}}"),
                detail,
                allowed: Some(allowed),
            });
        };
        read.map_err(keep).ok()
    }

    /// Passes `value` if nothing was refused.
    ///
    /// # Errors
    /// 422 that names every parameter refused.
    pub(crate) fn none<T>(self, value: Option<T>) -> Result<T, Problem> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self.problem()),
        }
    }

    fn problem(self) -> Problem {
        let first = self.0.first().map(
            |FieldError {
                 pointer,
                 detail,
                 allowed,
             }| {
                let allowed = allowed.as_deref().unwrap_or_default();
                format!("{pointer} {detail}; allowed: {allowed}")
            },
        );
        let mut detail = first.unwrap_or_default();
        if self.0.len() > 1 {
            detail = format!("{detail} (and {} more)", self.0.len() - 1);
        }
        Problem::new(ProblemKind::InvalidQuery, detail).with_errors(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(query: &str) -> Request {
        Request::builder()
            .uri(format!("/events?{query}").parse().unwrap())
            .finish()
    }

    fn refused(query: &str) -> Vec<String> {
        let refused = Refused::by_name(&request(query), &["limit", "cursor"]);
        refused
            .0
            .into_iter()
            .map(|error| format!("{} {}", error.pointer, error.detail))
            .collect()
    }

    #[test]
    fn a_misspelt_or_repeated_parameter_is_not_passed_over() {
        assert_eq!(refused("limit=1&cursor=x"), Vec::<String>::new());
        assert_eq!(
            refused("limits=1"),
            ["?limits is not a parameter of this path"]
        );
        assert_eq!(
            refused("limit=1&limit=2"),
            ["?limit is given more than once"]
        );
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let mut refused = Refused::by_name(&request("x=1"), &["limit", "offset"]);
        let limit = refused.query("limit", Some(Param(Limit::read("0"))));
        let offset = refused.query("offset", Some(Param(Offset::read("7"))));
        assert_eq!((limit, offset), (None, Some(Offset(7))));
        let problem = refused.none(Some(())).unwrap_err();
        assert_eq!(problem.status, 422);
        assert_eq!(
            problem.detail,
            "?x is not a parameter of this path; allowed: limit, offset (and 1 more)"
        );
        assert_eq!(problem.errors[1].pointer, "?limit");
    }
}
