//! The arguments of an operation: one struct, written once, from which reading, errors and document follow.

use poem::Request;
use poem_openapi::registry::{MetaOperationParam, MetaParamIn, MetaSchema};

use super::{
    parameter_errors::ParameterErrors,
    parameters::{After, Parameter},
};

/// The arguments of an operation.
pub(super) trait Arguments: Sized {
    /// Where and under which name each is given, in the document's order.
    const FIELDS: &'static [(Location, &'static str)];

    /// The parameters for the document.
    fn document() -> Vec<MetaOperationParam>;

    /// Reads them; invalid ones are `None` and in `errors`.
    fn read(request: &GivenParameters<'_>, errors: &mut ParameterErrors) -> Self;
}

/// Where a parameter is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Location {
    /// In the path.
    Path,
    /// In the query, optional.
    Query,
    /// In the query, required.
    Required,
}

impl Location {
    /// A parameter of type `T` for the document.
    pub(super) fn document<T: Parameter>(self, name: &str, about: &str) -> MetaOperationParam {
        let (in_type, required) = match self {
            Self::Path => (MetaParamIn::Path, true),
            Self::Query => (MetaParamIn::Query, false),
            Self::Required => (MetaParamIn::Query, true),
        };
        documented(in_type, name, about, required, T::schema())
    }
}

/// A request header for the document.
pub(super) fn header(name: &str, about: &str) -> MetaOperationParam {
    let text = MetaSchema::new("string");
    documented(MetaParamIn::Header, name, about, false, text)
}

fn documented(
    in_type: MetaParamIn,
    name: &str,
    about: &str,
    required: bool,
    schema: MetaSchema,
) -> MetaOperationParam {
    MetaOperationParam {
        name: name.to_owned(),
        schema: super::document::inline(schema),
        in_type,
        description: Some(about.trim().to_owned()),
        required,
        deprecated: false,
        explode: true,
        style: None,
    }
}

/// The name and text of `?after`, which every operation over the read model has.
pub(super) const AFTER: (&str, &str) = (
    "after",
    "Log positions from the `Ess-Position` header of a write, separated by commas: the answer waits until it includes them.",
);

/// The parameters of a request, decoded.
#[derive(Debug)]
pub(super) struct GivenParameters<'r> {
    request: &'r Request,
    query: Vec<(String, String)>,
}

impl<'r> GivenParameters<'r> {
    /// Decodes the query. Unknown and repeated names are errors: neither can mean what the caller intends.
    pub(super) fn new(request: &'r Request, known: &[&str], errors: &mut ParameterErrors) -> Self {
        let query: Vec<(String, String)> = request.params().unwrap_or_default();
        for (at, (name, _)) in query.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                errors.unknown(name, known);
            } else if query[..at].iter().any(|(earlier, _)| earlier == name) {
                errors.query(name, "given more than once", "once");
            }
        }
        Self { request, query }
    }

    /// The value of a parameter, if it was given and is valid.
    pub(super) fn value<T: Parameter>(
        &self,
        location: Location,
        name: &str,
        errors: &mut ParameterErrors,
    ) -> Option<T> {
        match location {
            Location::Path => errors.path(name, self.request.raw_path_param(name)),
            Location::Query => Some(errors.read(name, T::read(self.text(name)?))?),
            Location::Required => match self.text(name) {
                Some(text) => errors.read(name, T::read(text)),
                None => errors.missing::<T>(name),
            },
        }
    }

    /// The positions of `?after`.
    pub(super) fn after(&self, errors: &mut ParameterErrors) -> After {
        self.value(Location::Query, AFTER.0, errors)
            .unwrap_or_default()
    }

    fn text(&self, name: &str) -> Option<&str> {
        let given = self.query.iter().find(|(given, _)| given == name);
        given.map(|(_, text)| text.as_str())
    }
}

/// Writes a struct of arguments: `Path`, `Query` or `Required`, then the name and type of each.
macro_rules! arguments {
    (
        $(#[doc = $about:literal])+
        pub(crate) struct $name:ident {
            $($(#[doc = $doc:literal])+ $location:ident $field:ident: $type:ty,)+
        }
    ) => {
        $(#[doc = $about])+
        pub(crate) struct $name {
            $($(#[doc = $doc])+ pub(crate) $field: Option<$type>,)+
        }

        impl $crate::http::arguments::Arguments for $name {
            const FIELDS: &'static [($crate::http::arguments::Location, &'static str)] = &[
                $(($crate::http::arguments::Location::$location, $crate::http::arguments::plain(stringify!($field))),)+
            ];

            fn document() -> Vec<poem_openapi::registry::MetaOperationParam> {
                vec![$($crate::http::arguments::Location::$location.document::<$type>(
                    $crate::http::arguments::plain(stringify!($field)),
                    concat!($($doc),+),
                ),)+]
            }

            fn read(
                given: &$crate::http::arguments::GivenParameters<'_>,
                errors: &mut $crate::http::parameter_errors::ParameterErrors,
            ) -> Self {
                Self {
                    $($field: given.value(
                        $crate::http::arguments::Location::$location,
                        $crate::http::arguments::plain(stringify!($field)),
                        errors,
                    ),)+
                }
            }
        }
    };
}
pub(super) use arguments;

/// A field's name without `r#`.
pub(super) const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}
