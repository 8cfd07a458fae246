//! A function that only makes an operation's requests to AWS. The benchmark recorded the requests
//! in the file that `BENCH_REQUESTS` names.

#![expect(
    clippy::indexing_slicing,
    reason = "what is absent in a JSON value is null"
)]

use std::collections::HashMap;
use std::convert::Infallible;

use aws_sdk_dynamodb::operation::batch_get_item::builders::BatchGetItemInputBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::builders::TransactWriteItemsInputBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, KeysAndAttributes, TransactWriteItem, Update,
};
use aws_sdk_sesv2::operation::send_email::builders::SendEmailInputBuilder;
use aws_sdk_sesv2::types::{Body as Text, Content, Destination, EmailContent, Message, MessageTag};
use lambda_http::{Body, Error, Request, Response, service_fn};
use platform::{Environment, aws::Aws};
use serde_json::Value;

/// The requests, in the order of the operation.
struct Requests {
    read: BatchGetItemInputBuilder,
    write: Option<TransactWriteItemsInputBuilder>,
    mail: Option<SendEmailInputBuilder>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::of_this_process();
    let aws = Aws::from_environment(&environment)?;
    let file: String = environment.required("BENCH_REQUESTS")?;
    let requests = &Requests::parse(&serde_json::from_slice(&std::fs::read(file)?)?)?;
    let (dynamodb, ses) = (&aws.dynamodb(), &aws.ses());
    let nothing = || AttributeValue::S("NOTHING".to_owned());
    let connected = dynamodb.get_item().table_name("Table");
    let _ = connected
        .key("pk", nothing())
        .key("sk", nothing())
        .send()
        .await;
    lambda_http::run(service_fn(async move |_: Request| {
        let status = match requests.send(dynamodb, ses).await {
            Ok(()) => 200,
            Err(_) => 500,
        };
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = status.try_into().unwrap_or_default();
        Ok::<_, Infallible>(response)
    }))
    .await
}

impl Requests {
    async fn send(
        &self,
        dynamodb: &aws_sdk_dynamodb::Client,
        ses: &aws_sdk_sesv2::Client,
    ) -> Result<(), Error> {
        self.read.clone().send_with(dynamodb).await?;
        if let Some(write) = &self.write {
            write.clone().send_with(dynamodb).await?;
        }
        if let Some(mail) = &self.mail {
            mail.clone().send_with(ses).await?;
        }
        Ok(())
    }

    fn parse(requests: &Value) -> Result<Self, Error> {
        Ok(Self {
            read: read(&requests["BatchGetItem"])?,
            write: requests.get("TransactWriteItems").map(write).transpose()?,
            mail: requests.get("outbound-emails").map(mail).transpose()?,
        })
    }
}

fn read(request: &Value) -> Result<BatchGetItemInputBuilder, Error> {
    let mut input = BatchGetItemInputBuilder::default();
    for (table, wanted) in entries(&request["RequestItems"]) {
        let keys = wanted["Keys"].as_array().into_iter().flatten().map(item);
        let wanted = KeysAndAttributes::builder()
            .set_keys(Some(keys.collect::<Result<_, _>>()?))
            .set_consistent_read(wanted["ConsistentRead"].as_bool())
            .build()?;
        input = input.request_items(table, wanted);
    }
    Ok(input)
}

fn write(request: &Value) -> Result<TransactWriteItemsInputBuilder, Error> {
    let mut input = TransactWriteItemsInputBuilder::default();
    for change in request["TransactItems"].as_array().into_iter().flatten() {
        let built = TransactWriteItem::builder();
        let built = match (change.get("ConditionCheck"), change.get("Update")) {
            (Some(check), _) => built.condition_check(
                ConditionCheck::builder()
                    .set_table_name(text(&check["TableName"]))
                    .set_key(Some(item(&check["Key"])?))
                    .set_condition_expression(text(&check["ConditionExpression"]))
                    .set_expression_attribute_names(Some(names(check)))
                    .set_expression_attribute_values(Some(values(check)?))
                    .build()?,
            ),
            (_, Some(update)) => built.update(
                Update::builder()
                    .set_table_name(text(&update["TableName"]))
                    .set_key(Some(item(&update["Key"])?))
                    .set_update_expression(text(&update["UpdateExpression"]))
                    .set_condition_expression(text(&update["ConditionExpression"]))
                    .set_expression_attribute_names(Some(names(update)))
                    .set_expression_attribute_values(Some(values(update)?))
                    .build()?,
            ),
            _ => return Err(format!("an unknown change: {change}").into()),
        };
        input = input.transact_items(built.build());
    }
    Ok(input)
}

fn mail(request: &Value) -> Result<SendEmailInputBuilder, Error> {
    let content = |value: &Value| {
        let content = Content::builder().set_data(text(&value["Data"]));
        content.set_charset(text(&value["Charset"])).build()
    };
    let message = &request["Content"]["Simple"];
    let body = &message["Body"];
    let body = Text::builder()
        .text(content(&body["Text"])?)
        .html(content(&body["Html"])?)
        .build();
    let subject = content(&message["Subject"])?;
    let message = Message::builder().subject(subject).body(body).build();
    let destination = &request["Destination"]["ToAddresses"];
    let destination = Destination::builder().set_to_addresses(texts(destination));
    let mut input = SendEmailInputBuilder::default()
        .set_from_email_address(text(&request["FromEmailAddress"]))
        .set_reply_to_addresses(texts(&request["ReplyToAddresses"]))
        .set_configuration_set_name(text(&request["ConfigurationSetName"]))
        .destination(destination.build())
        .content(EmailContent::builder().simple(message).build());
    for tag in request["EmailTags"].as_array().into_iter().flatten() {
        let (name, value) = (text(&tag["Name"]), text(&tag["Value"]));
        let tag = MessageTag::builder().set_name(name).set_value(value);
        input = input.email_tags(tag.build()?);
    }
    Ok(input)
}

fn item(value: &Value) -> Result<HashMap<String, AttributeValue>, Error> {
    entries(value)
        .map(|(name, value)| Ok((name.clone(), attribute(value)?)))
        .collect()
}

fn values(of: &Value) -> Result<HashMap<String, AttributeValue>, Error> {
    item(&of["ExpressionAttributeValues"])
}

fn names(of: &Value) -> HashMap<String, String> {
    entries(&of["ExpressionAttributeNames"])
        .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
        .collect()
}

fn attribute(value: &Value) -> Result<AttributeValue, Error> {
    let (kind, value) = entries(value).next().ok_or("a value without a type")?;
    Ok(match kind.as_str() {
        "S" => AttributeValue::S(text(value).unwrap_or_default()),
        "N" => AttributeValue::N(text(value).unwrap_or_default()),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap_or_default()),
        "NULL" => AttributeValue::Null(true),
        "M" => AttributeValue::M(item(value)?),
        "L" => {
            let values = value.as_array().into_iter().flatten().map(attribute);
            AttributeValue::L(values.collect::<Result<_, _>>()?)
        }
        _ => return Err(format!("an unknown type: {kind}").into()),
    })
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value
        .as_array()
        .map(|values| values.iter().filter_map(text).collect())
}
