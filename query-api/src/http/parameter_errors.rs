//! The invalid parameters of one request, collected so that a caller learns of all of them at once.

use ess_service::problem::{FieldError, Problem, ProblemKind};

use super::parameters::Parameter;
use crate::question::Refusal;

/// The invalid parameters found so far.
#[derive(Debug, Default)]
pub(super) struct ParameterErrors(Vec<FieldError>);

impl ParameterErrors {
    /// Adds a query parameter whose name is not one of `known`.
    pub(super) fn unknown(&mut self, name: &str, known: &[&str]) {
        let allowed = if known.is_empty() {
            "none".to_owned()
        } else {
            format!("one of {}", known.join(", "))
        };
        self.query(name, "unknown parameter", allowed);
    }

    /// Adds a query parameter.
    pub(super) fn query(
        &mut self,
        name: &str,
        detail: impl Into<String>,
        allowed: impl Into<String>,
    ) {
        self.push(FieldError {
            pointer: format!("?{name}"),
            detail: detail.into(),
            allowed: Some(allowed.into()),
        });
    }

    /// Adds a required query parameter that is missing.
    pub(super) fn missing<T: Parameter>(&mut self, name: &str) -> Option<T> {
        let allowed = T::read("").err().map(|refusal| refusal.allowed);
        self.query(name, "missing", allowed.unwrap_or_default());
        None
    }

    /// Adds an error that concerns several parameters.
    pub(super) fn push(&mut self, error: FieldError) {
        self.0.push(error);
    }

    /// Whether all parameters so far are valid.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a query parameter, unless its text is refused.
    pub(super) fn read<T>(&mut self, name: &str, read: Result<T, Refusal>) -> Option<T> {
        let add = |Refusal { detail, allowed }| self.query(name, detail, allowed);
        read.map_err(add).ok()
    }

    /// The value of a path parameter, unless its text is refused. Text that is not UTF-8 is missing.
    pub(super) fn path<T: Parameter>(&mut self, name: &str, text: Option<&str>) -> Option<T> {
        let not_utf8 = || Refusal {
            detail: "not UTF-8".to_owned(),
            allowed: "percent-encoded UTF-8".to_owned(),
        };
        let add = |Refusal { detail, allowed }| {
            self.push(FieldError {
                pointer: format!("{{{name}}}"),
                detail,
                allowed: Some(allowed),
            });
        };
        text.ok_or_else(not_utf8)
            .and_then(T::read)
            .map_err(add)
            .ok()
    }

    /// The value of several parameters together, unless they contradict each other.
    pub(super) fn check<T>(&mut self, read: Result<T, FieldError>) -> Option<T> {
        read.map_err(|error| self.push(error)).ok()
    }

    /// Passes `value` if all parameters are valid.
    ///
    /// # Errors
    /// 422 that names every invalid parameter.
    pub(super) fn into_result<T>(self, value: Option<T>) -> Result<T, Problem> {
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
                format!("{pointer}: {detail}; expected {allowed}")
            },
        );
        let mut detail = first.unwrap_or_default();
        if self.0.len() > 1 {
            detail = format!("{detail} (and {} more)", self.0.len() - 1);
        }
        Problem::new(ProblemKind::InvalidQuery, detail).with_errors(self.0)
    }
}
