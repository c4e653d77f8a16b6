import { Skeleton } from 'antd';

/** PageLoading stands where a page is about to be. */
export const PageLoading = () => (
  <div className="page-loading">
    <Skeleton active paragraph={{ rows: 8 }} />
  </div>
);
