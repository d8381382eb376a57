var bridgeRouted = router.routeMessageByChannelId(@{target}, bridgeBody);
if (bridgeRouted != null && String(bridgeRouted.getStatus()) === 'ERROR') {
    responseStatus = QUEUED;
    responseStatusMessage = 'the channel that delivers did not take the answer; is it deployed and started?';
}
