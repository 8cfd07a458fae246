//! Deploys the functions of `template.yaml`: each with its environment, behind its routes.

use std::collections::HashMap;
use std::sync::Arc;

use platform::aws::Aws;
use platform::{Environment, Platform};

use crate::clock::AdjustableClock;
use crate::error::StackError;
use crate::functions::{ApiHandler, Functions};
use crate::template::{Route, Template};

/// `aws_of` gives the operation with this name its access to AWS.
pub(crate) fn deploy(
    template: &Template,
    parameters: &HashMap<&str, String>,
    aws_of: impl Fn(&str) -> Result<Aws, StackError>,
    clock: &AdjustableClock,
) -> Result<(Functions, Vec<(Route, ApiHandler)>), StackError> {
    let mut functions = Functions::default();
    let mut routes = Vec::new();
    for function in template.functions()? {
        let name = &function.operation;
        let platform = Platform {
            environment: Environment::of(template.environment(&function.logical_id, parameters)?),
            aws: aws_of(name)?,
            clock: clock.to_clock(),
        };
        if !functions.add(name, platform)? {
            let what = "template.yaml has an unknown operation";
            return Err(StackError::new(what, name));
        }
        for route in function.routes {
            let what = "template.yaml has a route to an operation that is not behind the API";
            let handler = functions
                .api(name)
                .ok_or_else(|| StackError::new(what, name))?;
            routes.push((route, Arc::clone(handler)));
        }
    }
    Ok((functions, routes))
}
