"""What we remember, in one DynamoDB table: the Protocols of `ports` on a client, one module each."""
