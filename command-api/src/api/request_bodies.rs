//! Documents the request bodies of both routes. Leaves reading them to [`crate::append_handler`].

use poem::{Request, RequestBody, Result};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaRequest, Registry},
};

use super::schemas;
use crate::body::{media_type::AppendRoute, upload::Upload};

macro_rules! documented_body {
    ($(#[$doc:meta])* $name:ident, $route:expr) => {
        $(#[$doc])*
        pub(crate) struct $name<'r>(pub(crate) Upload<'r>);

        impl<'a> ApiExtractor<'a> for $name<'a> {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                schemas::register(registry);
            }

            fn request_meta() -> Option<MetaRequest> {
                Some(schemas::request_body($route))
            }

            async fn from_request(
                request: &'a Request,
                body: &mut RequestBody,
                _: ExtractParamOptions<()>,
            ) -> Result<Self> {
                Ok(Self(Upload::new(request, body)))
            }
        }
    };
}

documented_body!(
    /// The body of `POST /commands`.
    CommandsBody, AppendRoute::Commands);
documented_body!(
    /// The body of `POST /events`.
    EventsBody, AppendRoute::Events);
