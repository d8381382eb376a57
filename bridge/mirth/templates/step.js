// What the answer means for this message. Mirth alone would take 3xx for success, and would send again for ever what
// was refused, so that nothing behind it gets through.
//   done: SENT.   stop: the message is at fault, ERROR.   wait: the message stays in the queue, QUEUED.
// The data types of this response transformer must be Raw: with any other it does not run when the body is empty.
var bridgeCode = parseInt(String($co('responseStatusCode')), 10) || 0;
var bridgeBody = response.getMessage() == null ? '' : String(response.getMessage());
var bridgeMeans = bridgeVerdict(bridgeCode, bridgeBody);
if (bridgeMeans === 'done') {
    responseStatus = SENT;
    channelMap.put('bridgeStatus', '200');
    @{+deliver}
} else if (bridgeMeans === 'stop') {
    responseStatus = ERROR;
    responseStatusMessage = 'HTTP ' + bridgeCode + ' ' + bridgeReason(bridgeBody);
    channelMap.put('bridgeStatus', '422');
} else {
    responseStatus = QUEUED;
    responseStatusMessage = bridgeBody === '' ? 'no answer that counts' : 'HTTP ' + bridgeCode + ' ' + bridgeReason(bridgeBody);
    channelMap.put('bridgeStatus', '202');
    msg = '';
}

@{+verdict}

@{+reason}
