// The bridge is called without an API key; bridge mirth --api-key NAME reads one from the configuration map.
