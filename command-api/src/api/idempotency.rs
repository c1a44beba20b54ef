//! The `Idempotency-Key` header as a documented parameter.

use ess_service::problem::Problem;
use poem::{Request, RequestBody, Result};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaSchema, MetaSchemaRef},
};

use crate::{
    decode::ids::{IdempotencyKey, MAX_KEY_CHARS},
    errors::RequestError,
};

/// The idempotency key of a request, if it has one.
pub(crate) struct IdempotencyKeyHeader(pub(crate) Option<IdempotencyKey>);

impl<'a> ApiExtractor<'a> for IdempotencyKeyHeader {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    type ParamType = String;
    type ParamRawType = String;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        let schema = MetaSchema {
            min_length: Some(1),
            max_length: Some(MAX_KEY_CHARS),
            pattern: Some("^[ -~]+$".to_owned()),
            example: Some("import-2026-11-23-0017".into()),
            ..MetaSchema::new("string")
        };
        Some(MetaSchemaRef::Inline(Box::new(schema)))
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<String>,
    ) -> Result<Self> {
        let key = IdempotencyKey::from_headers(request.headers());
        Ok(Self(key.map_err(|error| {
            Problem::from(RequestError::from(error))
        })?))
    }
}
