
# A customer secret key of Object Storage. Not for the programs that are run below: what they need, they are handed.
access_key=${OKEMON_S3_ACCESS_KEY:?the access key of the bucket}
secret_key=${OKEMON_S3_SECRET_KEY:?the secret that belongs to it}
unset OKEMON_S3_ACCESS_KEY OKEMON_S3_SECRET_KEY
# They stand in a document below as they are.
case $access_key$secret_key in
*[!A-Za-z0-9+/=_.-]*)
	echo 'a key holds a character that no key of Object Storage has' >&2
	exit 65
	;;
esac

# Sends a request: s3 REGION METHOD URL. The keys go by standard input: arguments can be read by everybody.
s3() {
	printf 'user = "%s:%s"\n' "$access_key" "$secret_key" |
		curl --config - --silent --show-error --fail --aws-sigv4 "aws:amz:$1:s3" \
			--header 'x-amz-content-sha256: UNSIGNED-PAYLOAD' --request "$2" "$3"
}
